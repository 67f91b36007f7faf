/** On which hosts the admin API answers: any script on an application's own origin could use it, so never on those. */

const LOCAL = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * `host` in lower case without port. `configured` is ADMIN_HOSTS; empty means localhost and the workers.dev name.
 * A host that a route names is never one.
 */
export function isAdminHost(host: string, configured: readonly string[], namedByRoute: boolean): boolean {
  if (namedByRoute) return false;
  if (configured.length > 0) return configured.includes(host);
  return LOCAL.has(host) || host.endsWith(".workers.dev");
}
