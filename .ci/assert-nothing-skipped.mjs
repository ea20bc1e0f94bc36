// Reads Jest's JSON report: a skipped test or an empty run is a failure.
import { readFileSync } from 'node:fs';

const [, , name, file] = process.argv;
const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numRuntimeErrorTestSuites } = JSON.parse(
  readFileSync(file, 'utf8'),
);
const skipped = numPendingTests + numTodoTests;
console.log(`${name}: ${numPassedTests} passed, ${numFailedTests} failed, ${skipped} skipped`);
if (skipped > 0 || numPassedTests === 0 || numRuntimeErrorTestSuites > 0) process.exit(1);
