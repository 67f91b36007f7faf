/**
 * What the controller and the outbox say to each other. The outbox alone talks to the world; both sides deliver at least
 * once and take each key once.
 */
import type { Notify, Severity, Topic } from "../flag/notify.ts";
import type { Expectation } from "../flag/plan.ts";

/** Something to be told, or a record of the audit log for its webhook. */
export interface Message {
  /** Names it for good: a second one with the same key is the first. */
  key: string;
  /** When it was decided, milliseconds since the epoch. */
  at: number;
  topic: Topic | "audit";
  severity: Severity;
  flag: string | null;
  release: string | null;
  /** One sentence for people. */
  sentence: string;
  /** The numbers behind it. */
  figures: Record<string, string | number | string[]>;
  /** Share of green after it, thousandths of a percent. */
  share: number | null;
  /** Where it goes: decided by the outbox from `notify`. For `audit` the record as JSON. */
  record?: string;
}

/** Requests to be tried on green, once. */
export interface Validation {
  key: string;
  flag: string;
  release: string;
  /** Green, as in the route. */
  origin: string;
  expectations: Expectation[];
}

/** A health check to be made again and again. */
export interface Check {
  flag: string;
  variant: "blue" | "green";
  origin: string;
  path: string;
  /** Seconds. */
  interval: number;
  timeout: number;
  status: number | number[];
  match?: string | undefined;
}

/** A number to be fetched again and again. */
export interface Pull {
  flag: string;
  gauge: string;
  url: string;
  path: string;
  /** Seconds. */
  interval: number;
  timeout: number;
  authorization?: string | undefined;
}

/** All that is asked of the outbox besides messages; replaces what was asked before. `revision` orders them. */
export interface Orders {
  revision: number;
  notify: Notify;
  checks: Check[];
  pulls: Pull[];
}

/** What the outbox has found. `seq` rises; the controller takes each once. */
export type Observation = { seq: number; at: number } & (
  | { type: "health"; flag: string; variant: "blue" | "green"; passed: boolean; sentence: string }
  | { type: "gauge"; flag: string; gauge: string; value: number }
  | { type: "gauge-failed"; flag: string; gauge: string; sentence: string }
  | { type: "validated"; key: string; flag: string; passed: boolean; sentence: string }
  /** A receiver was given up for a message. */
  | { type: "undelivered"; key: string; receiver: string; sentence: string }
);

/** What the controller may ask of the outbox (Durable Object `Outbox`). */
export interface OutboxApi {
  /** Takes messages and validations; answers with the keys that are stored, which need not be sent again. */
  take(things: { messages: Message[]; validations: Validation[] }): Promise<{ stored: string[] }>;
  /** Takes orders, unless it has newer ones. */
  order(orders: Orders): Promise<void>;
}

/** What the outbox may ask of the controller. */
export interface ObserverApi {
  /** Takes observations once each, in order; answers with the last `seq` that is stored. */
  observe(observations: Observation[]): Promise<{ have: number }>;
}
