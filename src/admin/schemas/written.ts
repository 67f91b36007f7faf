/** What is answered to a write. */
import { z } from "@hono/zod-openapi";
import { flagSpec } from "./flag.ts";

/** What is answered to every write. */
export const written = z
  .object({
    revision: z
      .number()
      .openapi({ description: "The controller's counter: isolates with it serve by this write." }),
    changed: z.boolean().openapi({ description: "False where it was so before." }),
    replayed: z
      .boolean()
      .openapi({ description: "It was done by an earlier request with the same Idempotency-Key." }),
    sentence: z.string().nullable().openapi({ description: "What there is more to say." }),
  })
  .openapi("Written");
export type Written = z.output<typeof written>;

/** The same, with the flag as it is then; null for one that was deleted. */
export const flagWritten = written.extend({ flag: flagSpec.or(z.null()) }).openapi("FlagWritten");
export type FlagWritten = z.output<typeof flagWritten>;
