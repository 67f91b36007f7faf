/** The page to try the API. */
export function docsPage(): Response {
  return new Response("");
}
