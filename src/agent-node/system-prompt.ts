/** The system prompt of an agent: one line for each thing that it knows, in a fixed order, without empty ones. */
import type { AgentSpec } from '../protocol/nats-messages.ts';

/** What the third person of `paper-reader` is told: the scenario, and nothing of personas, goals and secrets. */
export function readerPrompt({ scenario, order }: Pick<AgentSpec, 'scenario' | 'order'>): string {
  const others = order.length === 2 ? 'two other people' : 'other people';
  const place = scenario.text.trim() === '' ? [] : [`Scenario: ${scenario.text.trim()}`];
  return [`You are reading an interaction between ${others}.`, ...place].join('\n');
}

export function systemPrompt(spec: Pick<AgentSpec, 'scenario' | 'person'>): string {
  const lines: [label: string, text: string][] = [
    ['Scenario', spec.scenario.text],
    ['You', spec.person.persona],
    ['Goal', spec.person.goal],
    ['Secret', spec.person.secret],
  ];
  return lines
    .filter(([, text]) => text.trim() !== '')
    .map(([label, text]) => `${label}: ${text.trim()}`)
    .join('\n');
}
