/** The workerd configuration (Cap'n Proto text) that `npm run serve` runs: K isolates, one of Durable Objects, a front. */
import type { Bundle } from "./bundle.ts";
import { PLACE_HEADER } from "./kv-service.ts";

/** What the configuration is made of. All addresses are on 127.0.0.1. */
export interface Layout {
  bundle: Pick<Bundle, "modules" | "compatibilityDate" | "compatibilityFlags" | "kv" | "objects" | "sqlite">;
  /** Text bindings: variables and the token. */
  vars: Record<string, string>;
  /** Service bindings: name to `host:port`. */
  services: Record<string, string>;
  isolates: number;
  /** Port of the front, then of each isolate; 0 takes any free one. */
  ports: { front: number; direct: number[] };
  kvPort: number;
  /** Folder of the Durable Objects' databases. */
  storage: string;
}

/** Hands requests to the isolates in turn. It has no other business, so that what is measured is the router. */
export const FRONT_SCRIPT = `let turn = 0;
export default {
  fetch(request, env) {
    turn = (turn + 1) % env.ISOLATES;
    return env["ISOLATE" + (turn + 1)].fetch(request);
  },
};
`;

/**
 * Text of the configuration. It lies in one folder with the bundle's modules and `front.js`.
 * Service 0 holds the Durable Objects and serves no visitor: in production they live elsewhere as well.
 */
export function workerdConfig(layout: Layout): string {
  const places = [...Array(layout.isolates + 1).keys()];
  const isolates = places.slice(1);
  const split = layout.isolates > 1;
  const services = [
    // Origins of a test are on loopback, which workerd forbids by default.
    `(name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true)))`,
    `(name = "storage", disk = (path = ${text(layout.storage)}, writable = true))`,
    ...places.map(
      (i) =>
        `(name = "kv${i}", external = (address = "127.0.0.1:${layout.kvPort}", http = (injectRequestHeaders = [(name = ${text(PLACE_HEADER)}, value = "${i}")])))`,
    ),
    ...Object.entries(layout.services).map(
      ([name, address]) =>
        `(name = ${text(`origin ${name}`)}, external = (address = ${text(address)}, http = ()))`,
    ),
    ...places.map((i) => `(name = "place${i}", worker = .place${i})`),
    ...(split ? [`(name = "front", worker = .front)`] : []),
  ];
  const sockets = [
    socket("front", layout.ports.front, split ? "front" : "place1"),
    ...isolates.map((i) => socket(`isolate${i}`, layout.ports.direct[i - 1] ?? 0, `place${i}`)),
  ];
  return [
    `using Workerd = import "/workerd/workerd.capnp";`,
    `const config :Workerd.Config = (services = ${list(services)}, sockets = ${list(sockets)});`,
    ...places.map((i) => place(layout, i)),
    ...(split ? [front(layout, isolates)] : []),
  ].join("\n");
}

function place(layout: Layout, i: number): string {
  const { bundle } = layout;
  const bindings = [
    ...bundle.kv.map((name) => `(name = ${text(name)}, kvNamespace = "kv${i}")`),
    ...bundle.objects.map(
      (o) =>
        `(name = ${text(o.binding)}, durableObjectNamespace = (className = ${text(o.className)}, serviceName = "place0"))`,
    ),
    ...Object.keys(layout.services).map(
      (name) => `(name = ${text(name)}, service = ${text(`origin ${name}`)})`,
    ),
    ...Object.entries(layout.vars).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`),
  ];
  const namespaces = bundle.objects.map(
    (o) =>
      `(className = ${text(o.className)}, uniqueKey = ${text(`greenlight-${o.className}`)}, enableSql = ${bundle.sqlite.includes(o.className)})`,
  );
  return worker(`place${i}`, [
    `modules = ${list(bundle.modules.map((name) => `(name = ${text(name)}, esModule = embed ${text(name)})`))}`,
    `compatibilityDate = ${text(bundle.compatibilityDate)}`,
    `compatibilityFlags = ${list(bundle.compatibilityFlags.map(text))}`,
    `bindings = ${list(bindings)}`,
    ...(i === 0
      ? [`durableObjectNamespaces = ${list(namespaces)}`, `durableObjectStorage = (localDisk = "storage")`]
      : []),
  ]);
}

function front(layout: Layout, isolates: number[]): string {
  const bindings = [
    `(name = "ISOLATES", json = "${isolates.length}")`,
    ...isolates.map((i) => `(name = "ISOLATE${i}", service = "place${i}")`),
  ];
  return worker("front", [
    `modules = [(name = "front.js", esModule = embed "front.js")]`,
    `compatibilityDate = ${text(layout.bundle.compatibilityDate)}`,
    `bindings = ${list(bindings)}`,
  ]);
}

function worker(name: string, fields: string[]): string {
  return `const ${name} :Workerd.Worker = (\n  ${fields.join(",\n  ")},\n);`;
}

function socket(name: string, port: number, service: string): string {
  return `(name = ${text(name)}, address = "127.0.0.1:${port}", http = (), service = ${text(service)})`;
}

function list(items: string[]): string {
  return items.length === 0 ? "[]" : `[\n    ${items.join(",\n    ")},\n  ]`;
}

/** A Cap'n Proto string literal: JSON's, but that control characters are written \xNN there. */
function text(value: string): string {
  return JSON.stringify(value).replace(/\\u00([0-9a-f]{2})/g, "\\x$1");
}
