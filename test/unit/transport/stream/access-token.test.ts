import { describe, expect, it } from 'vitest';
import {
  createKeys,
  mintToken,
  verifyToken,
  type TokenClaims,
} from '../../../../src/transport/stream/auth/access-token.ts';

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

function swapClaims(token: string, other: object): string {
  return `${Buffer.from(JSON.stringify(other)).toString('base64url')}.${token.split('.')[1]}`;
}
