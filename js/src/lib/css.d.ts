// esbuild turns these imports into a style sheet beside the module.
declare module "*.css";
