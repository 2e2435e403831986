// govuk-frontend ships no types; these are the parts that we use.
declare module "govuk-frontend" {
  type Component = new (root: Element, configuration?: object) => object;
  export const Button: Component;
  export const CharacterCount: Component;
  export const Checkboxes: Component;
  export const ErrorSummary: Component;
  export const Radios: Component;
  export const SkipLink: Component;
  export function createAll(
    component: Component,
    configuration?: object,
    scope?: Element | Document,
  ): object[];
}
