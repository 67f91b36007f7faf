/** Who gets the flags on the health page, which all may read without them. */
import { authenticate, mayDo } from "./auth.ts";
import { freshKnowing } from "./fresh.ts";

/** Does the request come from somebody who may see flags? For them the table is brought up to date. Who shows nothing is not asked, and not counted as a failure. */
export async function maySeeFlags(request: Request, env: Env, ctx: ExecutionContext): Promise<boolean> {
  const { headers } = request;
  if (!headers.has("authorization") && !headers.has("cf-access-jwt-assertion")) return false;
  const auth = await authenticate(request, env, ctx);
  if (!auth.ok || !mayDo(auth.principal, "viewer")) return false;
  await freshKnowing(env, ctx);
  return true;
}
