import { describe, expect, it } from "vitest";
import { type AccessIdentity, accessRole, parseAccessRoles } from "../../../src/core/auth/access-roles.ts";

const person = (email: string, ...groups: string[]): AccessIdentity => ({
  email,
  commonName: undefined,
  groups,
});
const service = (commonName: string): AccessIdentity => ({ email: undefined, commonName, groups: [] });

describe("ACCESS_ROLES", () => {
  const { grants, faults } = parseAccessRoles(`
    alice@example.com:admin, bob@example.com:viewer
    group:Platform%20Team:operator group:readers:viewer
    *@example.com:reporter
    88bf3b6d.access:operator
  `);

  it.each([
    [person("alice@example.com"), "admin"],
    [person("ALICE@Example.com"), "admin"],
    [person("carol@example.com"), "reporter"],
    [person("carol@example.com", "readers", "platform team"), "operator"],
    [person("dave@elsewhere.org", "readers"), "viewer"],
    [service("88bf3b6d.access"), "operator"],
  ])("gives %j the role %s", (identity, role) => {
    expect(faults).toEqual([]);
    expect(accessRole(identity, grants)).toBe(role);
  });

  it("lets a name hold someone lower than their groups and domain would", () => {
    expect(accessRole(person("bob@example.com", "platform team"), grants)).toBe("viewer");
  });

  it.each([
    person("eve@elsewhere.org"),
    person("eve@notexample.com"),
    person("eve@example.com.evil.org"),
    person("alice@example.com@evil.org"),
    service("alice"),
    service("example.com"),
    { email: undefined, commonName: undefined, groups: [] },
  ])("gives %j none", (identity) => expect(accessRole(identity, grants)).toBeUndefined());

  it("gives everybody whom Access lets in a role only where it says *", () => {
    expect(accessRole(person("eve@elsewhere.org"), parseAccessRoles("*:viewer").grants)).toBe("viewer");
  });

  it.each([
    "alice@example.com",
    "alice@example.com:boss",
    ":admin",
    "*example.com:admin",
    "*@*:admin",
    "group::admin",
    "group:%zz:admin",
    "team:x:admin",
  ])("leaves %s out without repeating it, for addresses are of persons", (bad) => {
    const read = parseAccessRoles(`bob@example.com:viewer ${bad}`);
    expect(read.grants).toHaveLength(1);
    expect(read.faults).toHaveLength(1);
    expect(read.faults[0]).toMatch(/^role 2: /);
    expect(read.faults[0]).not.toContain("alice");
  });
});
