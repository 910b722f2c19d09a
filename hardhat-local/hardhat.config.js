// The devnet only: contracts are compiled by scripts/compile.py, so hardhat needs no compiler of its own.
import { defineConfig } from 'hardhat/config'

export default defineConfig({
  networks: {
    default: { type: 'edr-simulated', chainType: 'l1', chainId: 31337, hardfork: 'osaka' },
  },
})
