/** Size of the bundle, as it is uploaded: gzipped. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Named } from "./figure.ts";

const KIB = 1024;

export const size: Named = {
  name: "size",
  about: "size of the bundle, gzipped",
  async run({ bundle }) {
    let plain = 0;
    let packed = 0;
    for (const name of bundle.modules) {
      const bytes = await readFile(join(bundle.dir, name));
      plain += bytes.length;
      packed += gzipSync(bytes).length;
    }
    return [
      {
        name: "bundle, gzipped",
        value: `${(packed / KIB).toFixed(1)} KiB`,
        number: packed,
        note: `${(plain / KIB).toFixed(0)} KiB before`,
      },
    ];
  },
};
