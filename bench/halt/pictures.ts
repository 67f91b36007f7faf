/** `npm run pictures:halt`: draws the pictures of docs/halting.md. Seeds are fixed, so they change with the product only. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { svgOf } from "./chart.ts";
import { STORIES } from "./stories.ts";
import { watch } from "./watch.ts";

const FOLDER = join(import.meta.dirname, "../../docs/pictures");

mkdirSync(FOLDER, { recursive: true });
for (const story of STORIES) {
  const watched = watch(story);
  const svg = await svgOf(story, watched);
  writeFileSync(join(FOLDER, `${story.file}.svg`), svg);
  const { halted, atMs, greenRequests } = watched.outcome;
  const end = halted
    ? `halted ${Math.round((atMs - (story.trouble?.atMs ?? 0)) / 1000)} s and ${Math.round(greenRequests)} green requests after the trouble began`
    : "not halted";
  console.log(`wrote docs/pictures/${story.file}.svg (${Math.round(svg.length / 1024)} kB): ${end}`);
}
