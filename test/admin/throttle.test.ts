import { describe, expect, it } from "vitest";
import { networkOf, Throttle } from "../../src/admin/throttle.ts";

const T0 = 1_900_000_000_000;

describe("slowing", () => {
  it("answers each failure of an address later, up to 3 s, then refuses to look until a minute after the first", () => {
    const throttle = new Throttle();
    const waits = Array.from({ length: 10 }, (_, i) => throttle.failed("192.0.2.1", T0 + i * 1000).waitMs);
    expect(waits).toEqual([100, 200, 400, 800, 1600, 3000, 3000, 3000, 3000, 3000]);
    expect(throttle.failed("192.0.2.1", T0 + 10_000)).toMatchObject({ waitMs: 0, retryAfter: 50, count: 11 });
    expect(throttle.failed("192.0.2.1", T0 + 59_999)).toMatchObject({ retryAfter: 1 });
    expect(throttle.failed("192.0.2.1", T0 + 60_000)).toMatchObject({
      retryAfter: null,
      waitMs: 3000,
      count: 10,
    });
  });

  it("begins anew after a quiet minute", () => {
    const throttle = new Throttle();
    for (let i = 0; i < 50; i++) throttle.failed("192.0.2.1", T0);
    expect(throttle.failed("192.0.2.1", T0 + 60_000)).toEqual({
      waitMs: 100,
      retryAfter: null,
      count: 1,
      refused: 0,
      isTold: true,
    });
  });

  it("does not let one address slow another, until there are a hundred failures in all", () => {
    const throttle = new Throttle();
    for (let i = 0; i < 10; i++) throttle.failed("192.0.2.1", T0);
    for (let i = 0; i < 90; i++)
      expect(throttle.failed(`198.51.100.${i}`, T0)).toMatchObject({ waitMs: 100, retryAfter: null });
    expect(throttle.failed("203.0.113.1", T0)).toMatchObject({ waitMs: 0, retryAfter: 60 });
  });

  it("sums a flood up: of a million failures 16 are worth a line", () => {
    const throttle = new Throttle();
    let lines = 0;
    for (let i = 0; i < 1_000_000; i++) if (throttle.failed("192.0.2.1", T0).isTold) lines++;
    expect(lines).toBe(10 + 6);
  });

  it("does the same for a flood from many addresses, and remembers the last thousand of them", () => {
    const throttle = new Throttle();
    const told = Array.from({ length: 10_000 }, (_, i) => throttle.failed(`address ${i}`, T0).isTold);
    expect(told.filter(Boolean)).toHaveLength(100 + 4);
    expect(throttle.failed("address 9000", T0)).toMatchObject({ count: 2, refused: 9_901 });
    expect(throttle.failed("address 8999", T0)).toMatchObject({ count: 1, refused: 9_902 });
  });
});

it.each([
  ["192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["2001:db8:1:2::", "2001:db8:1:2::/64"],
  ["::1", "0:0:0:0::/64"],
  [null, "unknown"],
])("counts %s as %s: one customer has a whole IPv6 network to try from", (address, network) =>
  expect(networkOf(address)).toBe(network),
);
