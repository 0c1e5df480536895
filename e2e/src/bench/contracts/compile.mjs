// Writes BenchToken.hex and WorkLoop.hex (creation code) beside this file:
//   npm install solc@0.8.37 @openzeppelin/contracts@5.7.0   (anywhere)
//   node compile.mjs <the folder that holds node_modules>
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(resolve(process.argv[2] ?? "."), "node_modules");
const solc = createRequire(join(modules, "x.js"))("solc");

const names = ["BenchToken", "WorkLoop"];
const sources = Object.fromEntries(
  names.map((name) => [`${name}.sol`, { content: readFileSync(join(here, `${name}.sol`), "utf8") }]),
);
const settings = {
  optimizer: { enabled: true, runs: 200 },
  evmVersion: "prague",
  metadata: { bytecodeHash: "none", appendCBOR: false },
  outputSelection: { "*": { "*": ["evm.bytecode.object"] } },
};
const input = JSON.stringify({ language: "Solidity", sources, settings });
const findImport = (path) => ({ contents: readFileSync(join(modules, path), "utf8") });
const output = JSON.parse(solc.compile(input, { import: findImport }));
for (const problem of output.errors ?? []) {
  if (problem.severity === "error") throw new Error(problem.formattedMessage);
}
for (const name of names) {
  const { object } = output.contracts[`${name}.sol`][name].evm.bytecode;
  writeFileSync(join(here, `${name}.hex`), `${object}\n`);
}
