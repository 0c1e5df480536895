#!/usr/bin/env node
// The compiler that forge runs (`solc` in foundry.toml): the npm `solc` behind the part of the
// native compiler's command line that forge uses. forge would otherwise download a native build.
//
//   --version                 the version, with the platform word of a native Linux build:
//                             forge rejects the `Emscripten.clang` that the npm build answers
//   --standard-json [...]     standard JSON from stdin to stdout; forge resolves imports itself
//                             and sends every source, so path options have nothing to add
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

function load() {
  // The Emscripten runtime turns every uncaught error of the process into its own abort message.
  const listeners = process.listeners('uncaughtException');
  const compiler = require('solc');
  process.removeAllListeners('uncaughtException');
  listeners.forEach((listener) => process.on('uncaughtException', listener));
  return compiler;
}

const args = process.argv.slice(2);
if (args.includes('--version')) {
  const version = load()
    .version()
    .replace(/\.Emscripten\.clang$/, '.Linux.g++');
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`);
} else if (args.includes('--standard-json')) {
  process.stdout.write(load().compile(readFileSync(0, 'utf8')));
} else {
  process.stderr.write('usage: solc.mjs --version | --standard-json < input.json\n');
  process.exitCode = 2;
}
