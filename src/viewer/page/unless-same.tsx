/** A part of the page that is drawn anew only where its props have changed, for lists of which one line changes. */
import { Component, type ComponentType } from 'preact';

/** @param Part compared by the identity of each of its props */
export function unlessSame<Props extends object>(Part: ComponentType<Props>): ComponentType<Props> {
  return class extends Component<Props> {
    override shouldComponentUpdate(next: Readonly<Props>): boolean {
      const [before, after] = [this.props as Record<string, unknown>, next as Record<string, unknown>];
      return Object.keys({ ...before, ...after }).some((name) => before[name] !== after[name]);
    }

    override render(props: Props) {
      return <Part {...props} />;
    }
  };
}
