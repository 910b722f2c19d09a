#!/usr/bin/env node
// The solc command, as py-solc-x, forge and slither call it, on top of npm's solc. The bare `solcjs` will not do: it
// prints a line of its own before the JSON.
import { readFileSync } from 'node:fs'
import solc from 'solc'

const asked = process.argv.slice(2)
if (asked.includes('--version')) {
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${solc.version().replace('.Emscripten.clang', '.Linux.g++')}`)
} else if (asked.includes('--standard-json')) {
  process.stdout.write(solc.compile(readFileSync(0, 'utf8')))
} else {
  console.error('Only --version and --standard-json are answered.')
  process.exit(2)
}
