/** The leanest pass-through: a string and the request as it came. */
export default {
  fetch(request, env) {
    const { url } = request;
    return fetch(env.ORIGIN + url.slice(url.indexOf("/", 8)), request);
  },
};
