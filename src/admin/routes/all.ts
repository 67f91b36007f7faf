/** All routes of the admin API below its path: what answers, and what the OpenAPI document is made of. */
import { newApi } from "../routing.ts";
import { audit } from "./audit.ts";
import { changes } from "./changes.ts";
import { commands } from "./commands.ts";
import { documents } from "./documents.ts";
import { evaluations } from "./evaluations.ts";
import { figures } from "./figures.ts";
import { flagWrites } from "./flag-writes.ts";
import { flags } from "./flags.ts";
import { ingest } from "./ingest.ts";
import { overrides } from "./overrides.ts";
import { pull } from "./pull.ts";
import { rollouts } from "./rollouts.ts";
import { status } from "./status.ts";
import { switches } from "./switches.ts";
import { waysBack } from "./ways-back.ts";

export const routes = newApi();
const PARTS = [
  status,
  flags,
  flagWrites,
  overrides,
  switches,
  commands,
  waysBack,
  rollouts,
  figures,
  evaluations,
  documents,
  audit,
  changes,
  pull,
  ingest,
];
for (const part of PARTS) routes.route("/", part);
