/** Receives hidden states: prints where senders connect and a token, then a line for each frame that is on the disk. */
import { createTokenKeys, mintToken, receiveFrames } from 'entrain';
import { unpackTensor } from 'entrain/protocol';

const { publicKeyPem, privateKeyPem } = createTokenKeys();
const receiver = await receiveFrames({
  runs: 'runs',
  publicKeyPem,
  onFrame: (frame, { stream }) => {
    if (frame.type !== 'turn') return console.log(`${stream}: ${frame.type}`);
    const states = unpackTensor(frame.dtype, frame.data);
    console.log(`${stream}: turn ${frame.turn}, ${frame.layers.length} layers, first value ${states[0]}`);
  },
});
const claims = { run: 'own', agent: 'ada', stream: 'ada', mode: 'write' } as const;
console.log(receiver.url, mintToken(privateKeyPem, { ...claims, expiresAtMs: Date.now() + 900_000 }));
process.once('SIGTERM', () => void receiver.close());
