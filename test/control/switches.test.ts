/** Switches of people: what is told of green when one takes it out of traffic, and when it is back. */
import { expect, test } from "vitest";
import { bindings } from "./parts.ts";
import {
  audit,
  order,
  pass,
  planned,
  playsInFrozenTime,
  put,
  ring,
  told,
  until,
  view,
} from "./rollout-parts.ts";

playsInFrozenTime();

/** What was told of the percentage last, with the share that visitors get then. */
async function lastPercentage() {
  const { sentence, share } = (await told()).filter(({ topic }) => topic === "percentage").at(-1)!;
  return { sentence, share };
}

/** A person writes the kill key, and the controller comes by to read it. */
async function kill(text: string, served: number): Promise<void> {
  await bindings.FLAGS.put("kill", text);
  pass(61);
  await ring();
  await until(async () => expect((await view()).served).toBe(served));
}

test.each([
  ["the document", planned({}, { enabled: false }), "the document switches everything off"],
  [
    "the switch of all canaries",
    planned({}, { flags: { "system.canary.enabled": { state: "off" } } }),
    "system.canary.enabled is off",
  ],
  [
    "a list of environments without this one",
    planned({ environments: ["staging"] }),
    "it does not count in this environment",
  ],
])(
  "%s takes green out of traffic: the percentage is told, and who did it stands in the audit log",
  async (_, off, why) => {
    await put(planned());
    await put(off);
    expect(await lastPercentage()).toEqual({ sentence: `Green went from 10 % to 0 %: ${why}`, share: 0 });
    expect((await audit()).at(-1)).toMatchObject({ action: "switch-off", who: "kv", percentage: 0 });
    await put(planned({ notes: "on again" }));
    expect(await lastPercentage()).toEqual({
      sentence: "Green went from 0 % to 10 %: it is no longer switched off",
      share: 10_000,
    });
    expect((await audit()).at(-1)).toMatchObject({ action: "switch-on", who: "kv", percentage: 10 });
  },
);

test("the kill key is told once as a kill, and as a percentage, and so is its end", async () => {
  await put(planned());
  await kill("shop", 0);
  expect((await told()).filter(({ topic }) => topic === "kill")).toMatchObject([
    { severity: "P1", share: 0 },
  ]);
  expect(await lastPercentage()).toEqual({
    sentence: "Green went from 10 % to 0 %: the kill key names the flag",
    share: 0,
  });
  await kill(" ", 10);
  expect(await lastPercentage()).toMatchObject({ share: 10_000 });
  expect((await audit()).map(({ action }) => action).slice(-2)).toEqual(["kill", "unkill"]);
});

test("of green that nobody is on a switch says nothing", async () => {
  await put(planned({ plan: { start: "manual", stages: [{ percentage: 10 }] } }));
  await put(planned({ plan: { start: "manual", stages: [{ percentage: 10 }] } }, { enabled: false }));
  expect((await told()).filter(({ topic }) => topic === "percentage")).toEqual([]);
});

test("a rollout of a flag that does not count in this environment says so, and goes up for nobody", async () => {
  await put(planned({ environments: ["staging"] }));
  expect(await view()).toMatchObject({
    served: 0,
    why: "It counts in staging only, and this is production: everybody is on blue",
  });
  expect(await order({ name: "start" })).toMatchObject({ ok: false, reason: "flag-stopped" });
  await put(planned({ environments: ["staging", "production"] }));
  expect(await view()).toMatchObject({ served: 10, why: null });
});
