/** An answer of the admin API as the fuzzer reads it. */
export interface FuzzAnswer {
  status: number;
  /** Content type without its parameters. */
  type: string;
  cacheControl: string;
  /** A line each. */
  headers: string;
  text: string;
}

/** Reads the answer to its end; of a stream its beginning, for it has no end. */
export async function readAnswer(response: Response): Promise<FuzzAnswer> {
  const type = (response.headers.get("content-type") ?? "").split(";")[0]!;
  const answer = {
    status: response.status,
    type,
    cacheControl: response.headers.get("cache-control") ?? "",
    headers: [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n"),
  };
  if (type !== "text/event-stream") return { ...answer, text: await response.text() };
  const reader = response.body!.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return { ...answer, text: new TextDecoder().decode(value as Uint8Array) };
}
