import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  createKeys,
  mintToken,
  verifyToken,
  type TokenClaims,
} from '../../../../src/transport/stream/auth/access-token.ts';
import { requireKey } from '../../../../src/transport/stream/auth/signed-claims.ts';

const keys = createKeys();
const claims: TokenClaims = { run: 'r1', agent: 'ada', stream: 'ada', mode: 'write', expiresAtMs: 2000 };
const mint = (change: object = {}): string => mintToken(keys.privateKeyPem, { ...claims, ...change });
const check = (token: string, nowMs = 1000): TokenClaims => verifyToken(keys.publicKeyPem, token, { nowMs });

describe('verifyToken', () => {
  it('gives the claims of a token that the coordinator minted', () => {
    expect(check(mint())).toEqual(claims);
  });

  it.each<[string, () => TokenClaims]>([
    ['nothing', () => check('')],
    ['no signature', () => check(mint().split('.')[0] as string)],
    ['three parts', () => check(`${mint()}.x`)],
    ['a token of another coordinator', () => check(mintToken(createKeys().privateKeyPem, claims))],
    ['other claims under the same signature', () => check(swapClaims(mint(), { ...claims, stream: 'ben' }))],
    ['a token at the moment it expires', () => check(mint(), 2000)],
    ['a mode that does not exist', () => check(mint({ mode: 'admin' }))],
    ['a stream that is a path', () => check(mint({ stream: '../x' }))],
    ['a token that never expires', () => check(mint({ expiresAtMs: null }))],
    ['a token of a megabyte', () => check(`${'a'.repeat(1e6)}.${'b'.repeat(86)}`)],
  ])('refuses %s, and does not repeat the token in the error', (_, attempt) => {
    expect(attempt).toThrow(expect.objectContaining({ code: 'TOKEN_INVALID' }) as Error);
    expect(attempt).not.toThrow(mint());
  });
});

describe('requireKey', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const pem = { type: 'spki', format: 'pem' } as const;
  it.each<[string, 'public' | 'private', string]>([
    ['an empty file', 'public', ''],
    ['some other text', 'private', 'secret-word'],
    ['the other half', 'public', keys.privateKeyPem],
    ['the other half', 'private', keys.publicKeyPem],
    ['a key cut off', 'private', keys.privateKeyPem.slice(0, 60)],
    ['a key of another kind', 'public', rsa.publicKey.export(pem).toString()],
  ])('refuses %s as the %s key, and does not repeat it', (_, half, text) => {
    const attempt = (): string => requireKey(text, { half, setting: '--key' });
    expect(attempt).toThrow(`--key holds no ${half} key of Ed25519 in PEM`);
    expect(attempt).not.toThrow('secret-word');
  });

  it('gives the key back if it is one', () => {
    expect(requireKey(keys.publicKeyPem, { half: 'public', setting: 'x' })).toBe(keys.publicKeyPem);
    expect(requireKey(keys.privateKeyPem, { half: 'private', setting: 'x' })).toBe(keys.privateKeyPem);
  });
});

function swapClaims(token: string, other: object): string {
  return `${Buffer.from(JSON.stringify(other)).toString('base64url')}.${token.split('.')[1]}`;
}
