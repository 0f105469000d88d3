//! Every interleaving of a small world: what is delivered, cut, crashed, resumed, acknowledged and
//! timed out, in every order, through the real connections.
//!
//! `plan.rs` describes a world, `endpoint.rs` is a connection of any version and role,
//! `app.rs` an application with its journal, `world.rs` and `world` are what can happen and what it
//! leads to. `wire.rs` checks what leaves, `check.rs` each state and the last ones, `key.rs` decides
//! which states are the same, `print.rs` writes a counterexample as a test.

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

/// Why a move is not made.
#[derive(Debug, Clone)]
pub(crate) enum Halt {
    /// This does not hold.
    Failed(String),
    /// The side crashes in the middle.
    Crash(plan::Side),
}

pub(crate) type Outcome<T = ()> = Result<T, Halt>;

/// What a search has found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    pub(crate) states: usize,
    pub(crate) transitions: usize,
    /// States in which nothing goes on by itself: everything has arrived.
    pub(crate) ends: usize,
    /// How many moves the longest shortest path to a state has.
    pub(crate) depth: usize,
    /// States reached again whose successors were compared.
    pub(crate) compared: usize,
}

/// Why a search has failed, and the moves that lead there.
#[derive(Debug)]
pub(crate) struct Counterexample {
    pub(crate) why: String,
    pub(crate) transcript: String,
}

struct Search {
    plan: Plan,
    numbers: HashMap<u128, u32>,
    /// For each state, the one that it was found from, and by which choice.
    parents: Vec<(u32, Choice)>,
    /// The successors of all states, one after the other, and where those of each end.
    successors: Vec<u32>,
    ends_at: Vec<usize>,
    /// A hash of the successors of each state.
    outlook: Vec<u64>,
    found: Found,
}

/// Visits every state of a world. One in `compare_every` of the states that are reached again is
/// compared with the state that it equals, and the search fails beyond `most` states.
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
    /// It is not a mishap.
    goes_on: bool,
}

impl Search {
    fn run(&mut self, compare_every: usize, most: usize) -> Result<(), Counterexample> {
        let first = World::new(self.plan);
        self.numbers.insert(key(&first), 0);
        self.parents.push((0, (Move::Tick, None)));
        let mut waiting = VecDeque::from([(0_u32, 0_usize, first)]);
        let mut again = 0_usize;
        // States that were reached again, with what they lead to.
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
                        // Its successors may not be known yet.
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

    /// Everything that can come next. `number` is the state.
    fn expand(&mut self, number: u32, world: &World) -> Result<Vec<Next>, Counterexample> {
        self.successors_of(world)
            .map_err(|(choice, why)| self.counterexample(number, choice, &why))
    }

    /// The same for the state that this choice leads to.
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

    /// With the mishaps used up every path comes to an end: there is no way round in circles.
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

    /// The path to a state, once more, and written down.
    fn counterexample(&self, number: u32, last: Option<Choice>, why: &str) -> Counterexample {
        Counterexample {
            why: why.to_owned(),
            transcript: print::transcript(self.plan, &self.path(number, last)),
        }
    }
}

/// Makes a choice in a copy of the world. Returns how many acts it consists of.
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
    // A packet that the application has to make room for stays where it is.
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
