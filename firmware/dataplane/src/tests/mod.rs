//! Scenarios: frames in, frames and counters out.

mod admission;
mod capture;
mod conversation;
mod day;
mod errors;
mod events;
mod explain;
mod federation;
mod fragments;
mod hostile;
mod intercept;
mod lab;
mod laws;
mod limits;
mod link;
mod malformed;
mod nat;
mod nat_behaviour;
mod nat_order;
mod normalizer;
mod offload;
mod offload6;
mod padding;
mod rules;
mod silence;
mod v6;
