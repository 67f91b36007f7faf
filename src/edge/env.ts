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
    /** Bearer tokens of the admin API as hashes, `NAME:ROLE:SHA256HEX[:EXPIRES]` by spaces or lines. */
    ADMIN_TOKENS?: string;
    /** The token of former versions, in the clear: no longer read, only told about. */
    ADMIN_TOKEN?: string;
    /** Cloudflare Access: the team, `TEAM` or `https://TEAM.cloudflareaccess.com`. */
    ACCESS_TEAM?: string;
    /** Audience tags of its applications, by spaces or commas. */
    ACCESS_AUD?: string;
    /** Roles of its identities, `WHO:ROLE` by spaces or lines. */
    ACCESS_ROLES?: string;
    /** Hosts of the admin API, comma separated; empty: localhost and the workers.dev name. */
    ADMIN_HOSTS?: string;
    /** Number of CohortCounters shards. */
    SHARDS?: string;
    /** Seconds between background reads of KV. */
    KV_REFRESH_SECONDS?: string;
    /** Where everything goes while no flag document is known: an origin as in a route. */
    DEFAULT_ORIGIN?: string;
    /** Name of the environment that this Worker is; flags may count in some of them only. */
    ENVIRONMENT?: string;
    /** `true`: variables such as ENABLE_X override flags. For local work and previews. */
    ENV_OVERRIDES?: string;
    /** JSON source of flags that is pulled on a schedule; without it nothing is pulled. */
    PULL_URL?: string;
    /** Sent to it as `Authorization`. */
    PULL_AUTHORIZATION?: string;
    /** More headers for it: a JSON object of texts, which may be `secret:NAME`. */
    PULL_HEADERS?: string;
    /** A format of `core/import`; default `auto`. */
    PULL_FORMAT?: string;
    /** Seconds between two pulls; default 60. */
    PULL_INTERVAL_SECONDS?: string;
    /** Which part of the answer is taken: `$.data.flags`; default all of it. */
    PULL_PATH?: string;
    /** `true`: a source without any flag is taken for what it is. */
    PULL_ALLOW_EMPTY?: string;
  }
}

export {};
