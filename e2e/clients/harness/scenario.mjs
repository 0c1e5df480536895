// Runs a script as a list of named steps. Every step is printed with its time; a failed one is
// printed with its error and the rest go on, so that one run tells all; the process then exits 1.
import { inspect } from 'node:util';

const SCRIPT_DEADLINE_MS = Number(process.env.SCRIPT_DEADLINE_MS ?? 180_000);

/** Runs `body(step)`, where `await step(title, fn)` gives what `fn` returns. */
export async function scenario(name, body) {
  const deadline = setTimeout(() => {
    console.error(`${name}: no end after ${SCRIPT_DEADLINE_MS} ms`);
    process.exit(1);
  }, SCRIPT_DEADLINE_MS);
  let passed = 0;
  const failed = [];
  const step = async (title, fn) => {
    const started = performance.now();
    try {
      const result = await fn();
      passed += 1;
      console.log(`  ok      ${title} (${Math.round(performance.now() - started)} ms)`);
      return result;
    } catch (error) {
      failed.push(title);
      console.log(`  FAILED  ${title}\n${describe(error)}`);
      return undefined;
    }
  };
  console.log(name);
  try {
    await body(step);
  } catch (error) {
    failed.push('between the steps');
    console.log(`  FAILED  between the steps\n${describe(error)}`);
  }
  clearTimeout(deadline);
  console.log(`${name}: ${passed} passed, ${failed.length} failed`);
  if (passed === 0) failed.push('no step ran');
  // Open WebSockets would keep the process alive.
  process.exit(failed.length === 0 ? 0 : 1);
}

function describe(error) {
  const text = error instanceof Error ? (error.stack ?? error.message) : inspect(error);
  return text
    .split('\n')
    .slice(0, 40)
    .map((line) => `            ${line}`)
    .join('\n');
}
