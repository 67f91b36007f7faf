/** Starts the receivers for tests that run inside workerd, where no server can listen. */
import type { TestProject } from "vitest/node";
import { ReceiverServer } from "./receivers.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** URL of the receivers. */
    receivers: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await ReceiverServer.start();
  project.provide("receivers", server.url);
  return () => server.stop();
}
