/** The script of the page to try the API, as it is sent. It puts texts in as texts only, never as HTML. */
export const DOCS_SCRIPT = String.raw`
"use strict";
const $ = (id) => document.getElementById(id);
const make = (tag, parts = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), parts);
  element.append(...children);
  return element;
};
let api, base;

const headers = (more = {}) => {
  const token = $("token").value.trim();
  return token === "" ? more : { authorization: "Bearer " + token, ...more };
};

$("enter").addEventListener("submit", async (event) => {
  event.preventDefault();
  $("said").textContent = "…";
  const response = await fetch("openapi.json", { headers: headers() }).catch(() => undefined);
  if (!response || !response.ok) {
    const problem = response && (await response.json().catch(() => undefined));
    $("said").textContent = problem ? problem.title + ". " + (problem.detail || "") : "The router did not answer.";
    return;
  }
  api = await response.json();
  base = api.servers[0].url;
  $("said").textContent = "";
  show();
});

const resolve = (schema) => {
  for (let hops = 0; schema && schema.$ref && hops < 8; hops++)
    schema = api.components.schemas[schema.$ref.split("/").pop()];
  return schema || {};
};

const exampleOf = (given) => {
  const schema = resolve(given);
  if (schema.example !== undefined) return schema.example;
  const form = (schema.anyOf || schema.oneOf || [])[0];
  if (form) return exampleOf(form);
  const members = {};
  for (const name of schema.required || []) {
    const member = resolve((schema.properties || {})[name]);
    members[name] = member.example ?? member.default ?? (member.enum || [null])[0];
  }
  return members;
};

function show() {
  const main = $("routes");
  main.replaceChildren();
  for (const tag of api.tags) {
    const found = [];
    for (const [path, methods] of Object.entries(api.paths))
      for (const [method, operation] of Object.entries(methods))
        if ((operation.tags || []).includes(tag.name)) found.push(row(path, method, operation));
    if (found.length > 0) main.append(make("h2", { textContent: tag.name + ": " + tag.description }), ...found);
  }
}

function row(path, method, operation) {
  const details = make("details");
  const verb = make("code", { textContent: method.toUpperCase(), className: method });
  const role = make("span", { className: "role", textContent: operation["x-role"] });
  details.append(make("summary", {}, role, verb, " ", make("code", { textContent: path }), " " + operation.summary));
  details.addEventListener("toggle", () => details.open && details.children.length === 1 && fill(details, path, method, operation));
  return details;
}

function fill(details, path, method, operation) {
  const form = make("form");
  if (operation.description) form.append(make("p", { textContent: operation.description }));
  const fields = (operation.parameters || []).map((parameter) => {
    const input = make("input", { placeholder: parameter.description || "" });
    if (parameter.in === "path") input.value = (parameter.schema || {}).example || "";
    form.append(make("label", {}, make("span", { textContent: parameter.name + (parameter.required ? " *" : "") }), " ", input));
    return { parameter, input };
  });
  const content = operation.requestBody && operation.requestBody.content;
  const body = content && make("textarea", { spellcheck: false });
  if (body) {
    const [first] = Object.values(content);
    body.value = JSON.stringify(exampleOf(first.schema), null, 2);
    form.append(body);
  }
  const answer = make("pre", { hidden: true });
  form.append(make("button", { textContent: "Send" }));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    await send({ path, method, fields, body, content, answer });
  });
  details.append(form, answer);
}

async function send({ path, method, fields, body, content, answer }) {
  const query = new URLSearchParams();
  const sent = body ? { "content-type": Object.keys(content)[0] } : {};
  let url = base + path;
  for (const { parameter, input } of fields) {
    const value = input.value;
    if (parameter.in === "path") url = url.replace("{" + parameter.name + "}", encodeURIComponent(value));
    else if (value === "") continue;
    else if (parameter.in === "query") query.set(parameter.name, value);
    else sent[parameter.name] = value;
  }
  if (String(query) !== "") url += "?" + query;
  answer.hidden = false;
  answer.textContent = method.toUpperCase() + " " + url + "\n…";
  try {
    const options = { method: method.toUpperCase(), headers: headers(sent), ...(body && { body: body.value }) };
    const response = await fetch(url, options);
    const head = response.status + " " + response.statusText + "\n" + [...response.headers].map((pair) => pair.join(": ")).join("\n");
    answer.textContent = head + "\n\n";
    await read(response, answer);
  } catch (error) {
    answer.textContent = String(error);
  }
}

async function read(response, answer) {
  if ((response.headers.get("content-type") || "").startsWith("text/event-stream")) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) answer.append(part.value);
    return;
  }
  const text = await response.text();
  try {
    answer.append(JSON.stringify(JSON.parse(text), null, 2));
  } catch {
    answer.append(text);
  }
}
`;
