//! Services of the box itself.

use super::family::Family;
use super::{Change, kept, row};
use crate::mode::GLOBAL;
use crate::model::DEFAULT_PASSWORD_RECOVERY;
use crate::print;
use crate::refusal::{Notice, Refusal};
use cli::grammar::{Captures, No};

pub(super) const SERVICE: Family = Family {
    keyword: "service",
    help: "Services",
    rows: &[row(
        GLOBAL,
        "service password-recovery",
        No::Same,
        &[
            ("service", "Services of the box"),
            (
                "password-recovery",
                "A break at the console while the box starts removes lost passwords",
            ),
        ],
        password_recovery,
    )
    .example("service password-recovery")],
    kept: kept::SERVICE_RULES,
    print: print::system::service,
    clear: Some(clear),
    ..Family::EMPTY
};

fn password_recovery(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let is_on = !captures.negated();
    if !is_on {
        change.notice(Notice::RecoveryErasesAll);
    }
    change
        .outcome
        .set(&mut change.config.password_recovery, is_on);
    Ok(())
}

fn clear(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    change.outcome.set(
        &mut change.config.password_recovery,
        DEFAULT_PASSWORD_RECOVERY,
    );
    Ok(())
}
