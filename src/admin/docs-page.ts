/**
 * The page to try the API. It holds no data: it asks for a token, reads the OpenAPI document with it, and sends what its
 * reader fills in. It comes from the Worker whole, so it works without internet and under the strictest policy.
 */
import { DOCS_SCRIPT } from "./docs-script.ts";

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 64rem; padding: 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.05rem; margin: 1.5rem 0 .3rem; }
details { border: 1px solid #8886; border-radius: 4px; margin: .25rem 0; padding: .35rem .6rem; }
summary { cursor: pointer; } summary code { font-weight: 600; }
.get { color: #1a7f37; } .post, .put, .patch { color: #9a6700; } .delete { color: #cf222e; }
.role { float: right; opacity: .7; font-size: .85em; }
label { display: block; margin: .35rem 0; } label span { display: inline-block; min-width: 11rem; }
input, textarea, button { font: inherit; } input { width: 22rem; max-width: 100%; }
textarea { width: 100%; min-height: 6rem; font-family: ui-monospace, monospace; box-sizing: border-box; }
pre { background: #8882; overflow: auto; max-height: 26rem; padding: .6rem; }
#said { min-height: 1.4em; }
`;

const NO_SCRIPT = "This page needs scripts. The same is in docs/openapi.json.";

/** The page. Its policy lets it run its own script and ask its own host, nothing else. */
export function docsPage(): Response {
  const nonce = crypto.randomUUID();
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return new Response(page(nonce), {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy": policy.join("; "),
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    },
  });
}

function page(nonce: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Greenlight admin API</title>
<style nonce="${nonce}">${STYLE}</style>
</head>
<body>
<h1>Greenlight admin API</h1>
<form id="enter">
<label><span>Token</span> <input id="token" type="password" autocomplete="off" spellcheck="false"></label>
<button>Show the routes</button>
<small>Without one, behind Cloudflare Access, leave it empty. It is kept in this page alone, until you close it.</small>
</form>
<p id="said" role="status"></p>
<noscript>${NO_SCRIPT}</noscript>
<main id="routes"></main>
<script nonce="${nonce}">${DOCS_SCRIPT}</script>
</body>
</html>
`;
}
