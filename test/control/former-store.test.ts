import { abortAllDurableObjects, reset, runInDurableObject } from "cloudflare:test";
import { afterEach, expect, it, vi } from "vitest";
import { bindings, controller, document, quiet, withSpec } from "./parts.ts";

afterEach(async () => {
  vi.restoreAllMocks();
  await quiet();
  await reset();
});

const who = { who: "ann", how: "api", reason: "" } as const;

function patch(value: { state?: string; percentage?: number }) {
  const edit = { kind: "patch", value } as const;
  return controller().editFlag({ flag: "shop", edit, ifMatch: undefined, ...who });
}

it("a store of the release before has etags, and what was in it can be gone back to", async () => {
  await withSpec(document({ percentage: 30 }));
  await runInDurableObject(controller(), (_, { storage }) => {
    for (const table of ["revisions", "flag_marks", "flag_states", "once"])
      storage.sql.exec(`DROP TABLE ${table}`);
  });
  await abortAllDurableObjects();
  const former = (await controller().spec("shop"))!;
  expect(former).toMatchObject({ revision: null, updatedAt: null, createdAt: null });
  const document1 = (await controller().document())!;
  const order = { flag: "shop", edit: { kind: "patch", value: { state: "on" } }, ...who } as const;
  expect(await controller().editFlag({ ...order, ifMatch: former.etag })).toMatchObject({ ok: true });
  expect(await controller().editFlag({ ...order, ifMatch: former.etag })).toMatchObject({
    reason: "conflict",
  });
  const kept = await controller().revisions({ limit: 10 });
  expect(kept.map(({ who }) => who)).toEqual(["ann", "unknown"]);
  expect(await controller().revision(kept[1]!.revision)).toBe(document1.text);
  expect(
    await controller().goBack({ to: { flag: "shop", state: true }, ifMatch: "*", ...who }),
  ).toMatchObject({
    ok: true,
  });
  expect(await controller().spec("shop")).toMatchObject({ flag: { state: "canary" }, served: 30 });
});

it("a controller that lost its store takes an edit as soon as it has read the document", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  await withSpec(document({ percentage: 30 }));
  await vi.waitFor(async () => expect(await bindings.FLAGS.get("snapshot")).not.toBeNull());
  await runInDurableObject(controller(), (_, { storage }) => storage.deleteAll());
  await abortAllDurableObjects();
  expect(await patch({ percentage: 20 })).toMatchObject({ ok: true, changed: true });
  expect(await controller().spec("shop")).toMatchObject({ flag: { percentage: 20 }, createdAt: null });
  expect(await controller().revisions({ limit: 10 })).toHaveLength(2);
});
