// Clicks "more" in the published AddToCart 300 times, for each variant of a product; tells where it ends.
import { AddToCart } from "@reflowhq/cart-react";
import { createElement } from "react";
import { act, create } from "react-test-renderer";

const [address] = process.argv.slice(2);
const product = await (await fetch(address)).json();
const cart = { t: (text) => text };
const ends = {};
for (const variant of product.variants.items) {
  const { root } = create(createElement(AddToCart, { cart, product }));
  const find = (className) => root.find((part) => `${part.props.className ?? ""}`.split(" ").includes(className));
  act(() => find("ref-field-variants").props.onChange({ target: { value: variant.id } }));
  for (let click = 0; click < 300; click++) act(() => find("ref-increase").props.onClick());
  ends[variant.name] = [root.findByProps({ type: "text" }).props.value, find("ref-button").children[0]];
}
console.log(JSON.stringify(ends));
