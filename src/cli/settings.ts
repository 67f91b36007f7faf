/** What a wrangler.toml says about the Worker, as wrangler itself reads it, narrowed to what we use. */

/** The fields that we read; wrangler's own type for them refers to a package that it does not publish. */
export interface Settings {
  compatibility_date?: string;
  compatibility_flags: string[];
  vars: Record<string, unknown>;
  kv_namespaces: { binding: string }[];
  durable_objects: { bindings: { name: string; class_name: string }[] };
  migrations: { tag: string; new_sqlite_classes?: string[] }[];
  /** Names of the file's environments. */
  definedEnvironments: string[];
  services?: { binding: string; service: string }[];
  triggers?: { crons?: string[] };
  routes?: (string | { pattern: string })[];
}

/** Reads a configuration file; wrangler is loaded only then, since it takes half a second. */
export async function readSettings(config: string, env?: string): Promise<Settings> {
  const { unstable_readConfig: readConfig } = await import("wrangler");
  return readConfig({ config, ...(env !== undefined && { env }) }) as Settings;
}
