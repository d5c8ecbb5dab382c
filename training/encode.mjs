// The tokenizer of a model folder for a program in another language: `node encode.mjs FOLDER`.
// Each line read is a JSON text; each line written is the JSON list of its token ids.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Tokenizer } from "@huggingface/tokenizers";

const folder = process.argv[2];
const [tokenizer, config] = ["tokenizer.json", "tokenizer_config.json"].map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
const reader = new Tokenizer(tokenizer, config);
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(reader.encode(JSON.parse(line), { add_special_tokens: false }).ids));
}
