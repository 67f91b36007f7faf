/** The bindings of the Worker, as wrangler.toml declares them. Origins given as `service:NAME` are Fetchers besides. */
declare global {
  interface Env {
    FLAGS: KVNamespace;
    /** CohortCounters; reached through `objects.ts`. */
    COUNTERS: DurableObjectNamespace;
    /** RolloutController; reached through `objects.ts`. */
    CONTROLLER: DurableObjectNamespace;
    /** Outbox; reached through `objects.ts`. */
    OUTBOX: DurableObjectNamespace;
    /** Bearer token of the admin API; the API is shut without one. */
    ADMIN_TOKEN?: string;
    /** Hosts of the admin API, comma separated; empty: localhost and the workers.dev name. */
    ADMIN_HOSTS?: string;
    /** Number of CohortCounters shards. */
    SHARDS?: string;
    /** Seconds between background reads of KV. */
    KV_REFRESH_SECONDS?: string;
    /** Where everything goes while no flag document is known: an origin as in a route. */
    DEFAULT_ORIGIN?: string;
  }
}

export {};
