/** The JSON Schema of study files, by which editors complete and check JSON and YAML. */
import { z } from 'zod';
import { studySchema } from './study.ts';

/** Draft 2020-12. What the schema cannot say, such as ids that must differ, `entrain study validate` checks. */
export function studyJsonSchema(): Record<string, unknown> {
  const { $schema, properties, ...rest } = z.toJSONSchema(studySchema, {
    io: 'input',
    unrepresentable: 'any',
  });
  return {
    $schema,
    title: 'A study of entrain',
    ...rest,
    properties: { $schema: { type: 'string' }, ...properties },
  };
}
