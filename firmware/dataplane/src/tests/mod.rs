//! Scenarios: frames in, frames and counters out.

mod admission;
mod capture;
mod errors;
mod events;
mod federation;
mod intercept;
mod lab;
mod laws;
mod link;
mod malformed;
mod nat;
mod nat_behaviour;
mod nat_order;
mod offload;
mod rules;
mod v6;
