/** The pass-through of the textbooks: a URL object and a new request. */
export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    url.protocol = "http:";
    url.host = env.ORIGIN_HOST;
    return fetch(new Request(url, request));
  },
};
