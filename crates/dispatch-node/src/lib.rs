//! The native part of the npm package: converts, calls the core, converts. `lib/` is the façade over it.
//!
//! Cold commands are methods of a class (`native`), the hot ones raw functions with a data pointer
//! (`raw`). Nothing here is public: what users see is written in TypeScript.

#![deny(unsafe_code, clippy::undocumented_unsafe_blocks)]
#![cfg_attr(test, allow(dead_code, reason = "napi exports nothing to a test"))]
#![allow(unreachable_pub, reason = "napi wants `pub` on what it exports")]

mod answers;
mod list;
mod native;
mod raw;
mod refusal;
mod session;
mod texts;
