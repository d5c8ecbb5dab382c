/** Changes the file names of a graph's external weights. */
import { concat, readFields, text, writeBytes } from '../../onnx/protobuf.ts';

const MODEL_GRAPH = 7;
const INITIALIZER = 5;
const EXTERNAL_DATA = 13;
const LOCATION = 'location';

/** @param places new file name by the one in the graph */
export function relocateWeights(bytes: Uint8Array, places: ReadonlyMap<string, string>): Uint8Array {
  return mapFields(bytes, MODEL_GRAPH, (graph) =>
    mapFields(graph, INITIALIZER, (weight) =>
      mapFields(weight, EXTERNAL_DATA, (entry) => {
        const [key, value] = [...readFields(entry)].map((part) => text(part.bytes));
        const place = key === LOCATION ? places.get(value ?? '') : undefined;
        return place === undefined ? entry : concat([writeBytes(1, LOCATION), writeBytes(2, place)]);
      }),
    ),
  );
}

/** A message with `change` applied to the content of some of its fields. */
function mapFields(
  message: Uint8Array,
  number: number,
  change: (content: Uint8Array) => Uint8Array,
): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const field of readFields(message)) {
    if (field.number === number) parts.push(writeBytes(number, change(field.bytes)));
    else parts.push(message.subarray(field.start, field.end));
  }
  return concat(parts);
}
