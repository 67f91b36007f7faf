/** On which hosts the admin API answers: any script on an application's own origin could use it, so never on those. */

const LOCAL = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * `host` in lower case without port. `configured` is ADMIN_HOSTS; empty means localhost and the workers.dev name.
 * A host that a route names is never one.
 */
export function isAdminHost(host: string, configured: string | undefined, namedByRoute: boolean): boolean {
  if (namedByRoute) return false;
  const hosts = (configured ?? "")
    .split(",")
    .map((h) => h.trim().toLowerCase())
    .filter(Boolean);
  if (hosts.length > 0) return hosts.includes(host);
  return LOCAL.has(host) || host.endsWith(".workers.dev");
}
