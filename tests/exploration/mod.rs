//! Visits every interleaving of a small world with the real connections: packets are delivered,
//! links cut, processes crashed, sessions resumed, messages acknowledged and deadlines passed, in
//! every order.
//!
//! `plan.rs` describes a world, `endpoint.rs` wraps a connection of any version and role, `app.rs`
//! is an application with its journal, `world.rs` and `world/` define the possible moves and their
//! effects. `wire.rs` checks the packets sent, `check.rs` checks each state, `key.rs` decides which
//! states are equal, `print.rs` writes a counterexample as a test.

mod app;
mod check;
mod endpoint;
mod key;
pub(crate) mod plan;
mod print;
mod wire;
mod world;

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};

use key::key;
use plan::Plan;
use world::{Choice, Move, World};

/// Why a move stops.
#[derive(Debug, Clone)]
pub(crate) enum Halt {
    /// A check failed.
    Failed(String),
    /// The side crashes before the move is complete.
    Crash(plan::Side),
}

pub(crate) type Outcome<T = ()> = Result<T, Halt>;

/// The result of a search.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    pub(crate) states: usize,
    pub(crate) transitions: usize,
    /// States in which nothing more happens by itself: everything has arrived.
    pub(crate) ends: usize,
    /// The number of moves on the longest of the shortest paths to each state.
    pub(crate) depth: usize,
    /// States reached again whose successors were compared.
    pub(crate) compared: usize,
}

/// Why a search failed, and the moves that lead to the failure.
#[derive(Debug)]
pub(crate) struct Counterexample {
    pub(crate) why: String,
    pub(crate) transcript: String,
}

struct Search {
    plan: Plan,
    numbers: HashMap<u128, u32>,
    /// For each state, the state it was found from, and the choice that leads to it.
    parents: Vec<(u32, Choice)>,
    /// The successors of all states, one after the other. `ends_at` has the end of each list.
    successors: Vec<u32>,
    ends_at: Vec<usize>,
    /// A hash of the successors of each state.
    outlook: Vec<u64>,
    found: Found,
}

/// Visits every state of a world. Of the states that are reached again, one in `compare_every` is
/// compared with the state that it equals. The search fails if there are more than `most` states.
pub(crate) fn explore(
    plan: Plan,
    compare_every: usize,
    most: usize,
) -> Result<Found, Counterexample> {
    let mut search = Search {
        plan,
        numbers: HashMap::new(),
        parents: Vec::new(),
        successors: Vec::new(),
        ends_at: Vec::new(),
        outlook: Vec::new(),
        found: Found::default(),
    };
    search.run(compare_every, most)?;
    search.check_that_it_ends()?;
    Ok(search.found)
}

/// A successor of a state.
struct Next {
    choice: Choice,
    key: u128,
    world: World,
    /// The choice is not a fault, such as a cut or a crash.
    goes_on: bool,
}

impl Search {
    fn run(&mut self, compare_every: usize, most: usize) -> Result<(), Counterexample> {
        let first = World::new(self.plan);
        self.numbers.insert(key(&first), 0);
        self.parents.push((0, (Move::Tick, None)));
        let mut waiting = VecDeque::from([(0_u32, 0_usize, first)]);
        let mut again = 0_usize;
        // States that were reached again, with their successors.
        let mut twins = Vec::new();
        while let Some((number, depth, world)) = waiting.pop_front() {
            self.found.depth = depth;
            let next = self.expand(number, &world)?;
            self.found.ends += usize::from(!next.iter().any(|next| next.goes_on));
            self.outlook.push(outlook(&next));
            for Next {
                choice, key, world, ..
            } in next
            {
                self.found.transitions += 1;
                if let Some(known) = self.numbers.get(&key) {
                    let known = *known;
                    self.successors.push(known);
                    again += 1;
                    if again % compare_every == 0 {
                        // The successors of the first state may not be known yet.
                        let twin = outlook(&self.expand_by(number, choice, &world)?);
                        twins.push((known, twin, number, choice));
                    }
                    continue;
                }
                let new = u32::try_from(self.parents.len()).expect("memory for them");
                self.numbers.insert(key, new);
                self.parents.push((number, choice));
                self.successors.push(new);
                waiting.push_back((new, depth + 1, world));
            }
            self.ends_at.push(self.successors.len());
            if self.parents.len() > most {
                return Err(self.counterexample(number, None, &format!("more than {most} states")));
            }
        }
        self.found.states = self.parents.len();
        self.found.compared = twins.len();
        for (known, twin, number, choice) in twins {
            if self.outlook[known as usize] != twin {
                let one = self.counterexample(known, None, "").transcript;
                let mut other = self.counterexample(
                    number,
                    Some(choice),
                    "a state is reached on two paths, and leads elsewhere: the key lacks something",
                );
                other.transcript = format!("{one}\nor\n\n{}", other.transcript);
                return Err(other);
            }
        }
        Ok(())
    }

    /// Returns all successors of the state `number`.
    fn expand(&mut self, number: u32, world: &World) -> Result<Vec<Next>, Counterexample> {
        self.successors_of(world)
            .map_err(|(choice, why)| self.counterexample(number, choice, &why))
    }

    /// Returns the successors of the state that this choice leads to.
    fn expand_by(
        &mut self,
        number: u32,
        choice: Choice,
        world: &World,
    ) -> Result<Vec<Next>, Counterexample> {
        self.successors_of(world)
            .map_err(|(_, why)| self.counterexample(number, Some(choice), &why))
    }

    fn successors_of(&mut self, world: &World) -> Result<Vec<Next>, (Option<Choice>, String)> {
        let (moves, mishaps) = world.moves();
        let mut next = Vec::new();
        for (at, what) in moves.iter().chain(&mishaps).copied().enumerate() {
            let goes_on = at < moves.len();
            let acts = attempt(world, (what, None), goes_on, &mut next)?;
            let Some(side) = World::side_of(what) else {
                continue;
            };
            if world.crashes > 0 && world.may_crash(side) {
                for fuse in 1..acts {
                    attempt(world, (what, Some(fuse)), false, &mut next)?;
                }
            }
        }
        if !next.iter().any(|next| next.goes_on) {
            if let Err(Halt::Failed(why)) = check::end(world) {
                return Err((None, why));
            }
        }
        Ok(next)
    }

    /// Checks that every path ends once the faults are used up: the states form no cycle.
    fn check_that_it_ends(&self) -> Result<(), Counterexample> {
        let states = self.parents.len();
        let mut sources = vec![0_u32; states];
        for to in &self.successors {
            sources[*to as usize] += 1;
        }
        let mut free: Vec<usize> = (0..states).filter(|state| sources[*state] == 0).collect();
        let mut passed = 0;
        while let Some(state) = free.pop() {
            passed += 1;
            let from = state
                .checked_sub(1)
                .map_or(0, |before| self.ends_at[before]);
            for to in &self.successors[from..self.ends_at[state]] {
                sources[*to as usize] -= 1;
                if sources[*to as usize] == 0 {
                    free.push(*to as usize);
                }
            }
        }
        match sources.iter().position(|left| *left > 0) {
            Some(state) if passed < states => {
                let state = u32::try_from(state).expect("the number of a state");
                Err(self.counterexample(state, None, "it goes on for ever"))
            }
            _ => Ok(()),
        }
    }

    fn path(&self, number: u32, last: Option<Choice>) -> Vec<Choice> {
        let mut path: Vec<Choice> = last.into_iter().collect();
        let mut state = number;
        while state != 0 {
            let (parent, choice) = self.parents[state as usize];
            path.push(choice);
            state = parent;
        }
        path.reverse();
        path
    }

    /// Repeats the path to a state and writes it down.
    fn counterexample(&self, number: u32, last: Option<Choice>, why: &str) -> Counterexample {
        Counterexample {
            why: why.to_owned(),
            transcript: print::transcript(self.plan, &self.path(number, last)),
        }
    }
}

/// Makes a choice in a copy of the world. Returns the number of acts in it.
fn attempt(
    world: &World,
    choice: Choice,
    goes_on: bool,
    next: &mut Vec<Next>,
) -> Result<u8, (Option<Choice>, String)> {
    let mut copy = world.clone();
    match catch_unwind(AssertUnwindSafe(|| copy.make(choice))) {
        Ok(Ok(())) => {}
        Ok(Err(Halt::Failed(why))) => return Err((Some(choice), why)),
        Ok(Err(Halt::Crash(_))) => return Err((Some(choice), "a crash that is none".to_owned())),
        Err(_) => return Err((Some(choice), "a panic".to_owned())),
    }
    let acts = copy.acts;
    let key = key(&copy);
    // The application has to act first, so the packet stays in the input.
    if acts > 0 || World::side_of(choice.0).is_none() || key != self::key(world) {
        next.push(Next {
            choice,
            key,
            world: copy,
            goes_on,
        });
    }
    Ok(acts)
}

fn outlook(next: &[Next]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for Next { choice, key, .. } in next {
        (format!("{choice:?}"), key).hash(&mut hasher);
    }
    hasher.finish()
}
