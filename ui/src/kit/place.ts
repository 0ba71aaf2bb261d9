/** Where a floating thing stands: under its anchor, inside the window. */
export function floatAt(node: HTMLElement, anchor: DOMRect, align: 'start' | 'end' = 'start'): void {
  const { offsetWidth: width, offsetHeight: height } = node;
  const left = align === 'start' ? anchor.left : anchor.right - width;
  const below = anchor.bottom + 4;
  const top = below + height > innerHeight - 4 && anchor.top - 4 - height > 0 ? anchor.top - 4 - height : below;
  node.style.left = `${Math.max(4, Math.min(left, innerWidth - width - 4))}px`;
  node.style.top = `${Math.max(4, Math.min(top, innerHeight - height - 4))}px`;
}
