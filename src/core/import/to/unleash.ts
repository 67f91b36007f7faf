/** Unleash: features as its clients are given them. */
import type { Exported, WrittenDocument } from "../imported.ts";
import { isRecord, type Piece } from "../piece.ts";
import { audiencesOf, type OutAudience } from "./cohorts.ts";
import { metadataAt, type OutFlag, Outlet, present, textAt } from "./outlet.ts";

const ADDRESS = "remoteAddress";
/** Variant of those who have the flag not, by Unleash's own name. */
const DISABLED = "disabled";

export function toUnleash(document: WrittenDocument): Exported {
  const outlet = new Outlet(document);
  const features = outlet.flags.map((flag) => featureOf(outlet, flag));
  return outlet.finish("unleash", { version: 1, features });
}

function featureOf(outlet: Outlet, flag: OutFlag): Record<string, unknown> {
  const { name, piece, state } = flag;
  if (state === "kill" || state === "shadow")
    piece.at("state").change("There is no such state there: not enabled.");
  const dependencies = piece.at("dependencies").isThere ? piece.at("dependencies").items() : [];
  return present({
    name,
    type: textAt(piece, "kind") ?? metadataAt(piece, "type"),
    description: textAt(piece, "description"),
    enabled: state === "on" || state === "canary",
    project: metadataAt(piece, "project"),
    stale: metadataAt(piece, "stale"),
    impressionData: metadataAt(piece, "impressionData"),
    createdAt: textAt(piece, "createdAt"),
    lastSeenAt: metadataAt(piece, "lastSeenAt"),
    strategies: strategiesOf(outlet, flag),
    variants: variantsOf(piece),
    dependencies:
      dependencies.length > 0
        ? dependencies.map((d) => ({ feature: outlet.formerOf(d.text() ?? "") }))
        : undefined,
  });
}

function strategiesOf(outlet: Outlet, flag: OutFlag): Record<string, unknown>[] {
  const { piece, name } = flag;
  const strategies =
    flag.state === "on" ? [{ name: "default" }] : partial(outlet, flag, textAt(piece, "salt") ?? name);
  const environments = piece.at("environments");
  const [only, ...more] = strategies;
  if (!Array.isArray(environments.value) || environments.value.length === 0 || more.length > 0 || !only)
    return strategies;
  const values = environments.take();
  const constraints = Array.isArray(only.constraints) ? only.constraints : [];
  return [{ ...only, constraints: [...constraints, { contextName: "environment", operator: "IN", values }] }];
}

function partial(outlet: Outlet, flag: OutFlag, groupId: string): Record<string, unknown>[] {
  const { audiences, percentage } = audiencesOf(outlet, flag, "userId");
  const strategies = audiences.map((audience) => strategyOf(audience, flag.piece));
  if (percentage === 0 && strategies.length > 0) return strategies;
  const rollout = Math.floor(percentage);
  if (rollout !== percentage)
    flag.piece.at("percentage").change(`Cut to ${rollout}: a rollout has whole numbers only.`);
  const parameters = { rollout: String(rollout), stickiness: "default", groupId };
  return [...strategies, { name: "flexibleRollout", parameters, constraints: [] }];
}

function strategyOf(audience: OutAudience, flag: Piece): Record<string, unknown> {
  const [[name, values] = ["", [] as string[]], ...more] = audience;
  const address = flag.at("context").at(ADDRESS);
  if (name === ADDRESS && more.length === 0 && address.value === "ip") {
    address.take();
    return { name: "remoteAddress", parameters: { IPs: values.join(",") } };
  }
  const constraints = audience.map(([contextName, list]) => ({ contextName, operator: "IN", values: list }));
  return { name: "default", constraints };
}

/** The answer of those who have the flag, where there is one for them alone. */
function variantsOf(piece: Piece): Record<string, unknown>[] | undefined {
  const variants = piece.at("variants");
  const on = piece.at("onVariant").value;
  if (!isRecord(variants.value) || typeof on !== "string" || piece.at("offVariant").value !== DISABLED)
    return undefined;
  if (Object.keys(variants.value).length !== 2) return undefined;
  const value = variants.at(on).take();
  variants.at(DISABLED).take();
  for (const field of ["onVariant", "offVariant"]) piece.at(field).take();
  const type = typeof value === "string" ? "string" : typeof value === "number" ? "number" : "json";
  const payload = { type, value: typeof value === "string" ? value : JSON.stringify(value) };
  return [{ name: on, weight: 1000, payload }];
}
