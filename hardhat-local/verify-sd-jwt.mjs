// What @sd-jwt/sd-jwt-vc makes of a credential, of which it also presents some fields:
// node verify-sd-jwt.mjs <public key in PEM> <alg> <fields, with commas> < credential
import { createHash, createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'

const [pem, alg, fields] = process.argv.slice(2)
const key = createPublicKey(pem)
const instance = new SDJwtVcInstance({
  signAlg: alg,
  hashAlg: 'sha-256',
  hasher: (data, name) => createHash(name.replace('-', '')).update(Buffer.from(data)).digest(),
  verifier: (data, signature) => {
    const options = alg === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' } : key
    return verify(alg === 'ES256' ? 'sha256' : null, Buffer.from(data), options, Buffer.from(signature, 'base64url'))
  },
})
const credential = readFileSync(0, 'utf8')
const frame = Object.fromEntries(fields.split(',').map((name) => [name, true]))
// A devnet's clock runs ahead of ours, so it is read when it was issued.
const currentDate = JSON.parse(Buffer.from(credential.split('.')[1], 'base64url')).iat
const whole = await instance.verify(credential, { currentDate })
const part = await instance.verify(await instance.present(credential, frame), { currentDate })
console.log(JSON.stringify({ header: whole.header, whole: whole.payload, part: part.payload }))
