/** Secrets of the Worker under test that name the receivers of fixtures/flags/notify.json. */
export function receiverSecrets(url: string): Record<string, string> {
  return {
    SLACK_ONCALL_URL: `${url}/slack/oncall`,
    SLACK_ENG_URL: `${url}/slack/eng`,
    SLACK_RELEASES_URL: `${url}/slack/releases`,
    SLACK_OPS_URL: `${url}/slack/ops`,
    PAGERDUTY_ROUTING_KEY: "a-routing-key-of-32-characters-00",
    SIGNING_SECRET: "a-signing-secret",
    GAUGE_TOKEN: "Bearer a-token",
  };
}
