/** Which methods a path of the admin API takes. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { AdminEnv } from "./routing.ts";

/** Paths that the frame answers itself. */
const OWN = ["/openapi.json", "/docs"];

/** Methods in upper case, sorted; empty where nothing is at this path (below the API's own). */
export function allowedAt(routes: OpenAPIHono<AdminEnv>, path: string): string[] {
  const methods = new Set<string>();
  if (OWN.includes(path)) methods.add("GET");
  for (const definition of routes.openAPIRegistry.definitions) {
    if (definition.type !== "route") continue;
    const { method, path: pattern } = definition.route;
    if (patternOf(pattern).test(path)) methods.add(method.toUpperCase());
  }
  if (methods.has("GET")) methods.add("HEAD");
  return [...methods].sort();
}

/** `/flags/{name}` as a pattern. */
function patternOf(path: string): RegExp {
  const parts = path.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^/]+")}$`);
}
