import { Component, type ReactNode } from "react";

/** Keeps a part that cannot be shown from taking the page with it. */
export class Boundary extends Component<
  { children: ReactNode; instead: ReactNode },
  { hasFailed: boolean }
> {
  override state = { hasFailed: false };

  static getDerivedStateFromError() {
    return { hasFailed: true };
  }

  override render() {
    return this.state.hasFailed ? this.props.instead : this.props.children;
  }
}
