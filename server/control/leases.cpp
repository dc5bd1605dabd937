#include "server/control/leases.hpp"

#include <sys/random.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "server/base/check.hpp"
#include "server/control/text_check.hpp"
#include "server/journal/utc.hpp"
#include "server/session/names.hpp"

namespace continuo::control {
namespace {

Error bad(std::string reason, std::string field, std::string message) {
  return make_error(ErrorKind::invalid_argument, std::move(reason), std::move(field), std::move(message));
}

Error unknown(const char* field) {
  return make_error(ErrorKind::not_found, "UNKNOWN_LEASE", field, "there is no such lease any more");
}

Result<> check_seconds(double seconds) {
  if (seconds >= 1.0 && seconds <= Leases::kMaxSeconds) return {};
  return bad("OUT_OF_RANGE", "seconds", "seconds must be 1 to 86400");
}

std::string hex(const std::array<unsigned char, 16>& bytes) {
  std::string text;
  for (const unsigned char byte : bytes) {
    text += "0123456789abcdef"[byte >> 4u];
    text += "0123456789abcdef"[byte & 15u];
  }
  return text;
}

/// Takes as long whatever they have in common.
bool same_secret(const std::string& one, const std::string& other) {
  if (one.size() != other.size()) return false;
  volatile unsigned char differ = 0;
  for (std::size_t i = 0; i < one.size(); ++i) differ = static_cast<unsigned char>(differ | (one[i] ^ other[i]));
  return differ == 0;
}

std::string whom(const v1::Origin& holder) {
  if (holder.identity().empty()) return session::quoted(holder.client());
  return holder.identity() + (holder.client().empty() ? "" : " (" + session::quoted(holder.client()) + ")");
}

Error leased(const v1::Lease& lease, std::string field) {
  return make_error(ErrorKind::failed_precondition, "LEASED", std::move(field),
                    (lease.path().empty() ? "the whole session" : session::quoted(lease.path())) + " is leased to " +
                        whom(lease.holder()) + " until " + lease.ends_utc() +
                        (lease.note().empty() ? "" : ", " + session::quoted(lease.note())) +
                        ": send its token, or wait");
}

}  // namespace

Result<> check_tokens(const Leases::Tokens& tokens) {
  if (tokens.size() <= Leases::kMaxTokens) return {};
  return bad("TOO_MANY", "leases", "a request has at most 16 tokens of leases");
}

bool Leases::among(const Token& token, const Tokens& tokens) {
  bool found = false;
  const std::string secret = hex(token);
  for (const std::string& one : tokens) found = same_secret(secret, one) || found;
  return found;
}

Leases::Held* Leases::find(const std::string& token) {
  Held* found = nullptr;
  for (Held& held : held_) {
    if (same_secret(hex(held.token), token)) found = &held;
  }
  return found;
}

v1::Lease Leases::describe(const Held& held) const {
  v1::Lease lease;
  lease.set_lease_id(held.id);
  lease.set_path(held.part.path);
  if (held.part.node) lease.set_uid(*held.part.node);
  *lease.mutable_holder() = held.holder;
  const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(held.ends - parts_.now());
  lease.set_ends_utc(journal::utc_text(parts_.utc_ns() + left.count()));
  lease.set_seconds(held.seconds);
  lease.set_note(held.note);
  return lease;
}

void Leases::tell(const Held& held, v1::LeaseEvent::Kind kind, const v1::Origin* by) {
  ++version_;
  v1::LeaseEvent event;
  event.set_kind(kind);
  *event.mutable_lease() = describe(held);
  if (by != nullptr) *event.mutable_origin() = *by;
  parts_.history.lease(std::move(event));
}

template <class Gone>
void Leases::end(v1::LeaseEvent::Kind kind, const Gone& gone) {
  std::vector<Held> ended;
  for (Held& held : held_) {
    if (gone(held)) ended.push_back(held);
  }
  std::erase_if(held_, gone);
  for (const Held& held : ended) tell(held, kind);
  if (!ended.empty()) arm();
}

void Leases::expire() {
  const Clock::time_point now = parts_.now();
  end(v1::LeaseEvent::KIND_ENDED, [now](const Held& held) { return held.ends <= now; });
}

void Leases::arm() {
  if (held_.empty()) return timer_.cancel();
  const auto first = std::ranges::min_element(held_, {}, &Held::ends);
  timer_.after(std::max(first->ends - parts_.now(), Clock::duration(std::chrono::milliseconds(1))), [this] {
    expire();
    arm();
  });
}

void Leases::acquire(v1::AcquireLeaseRequest request, const std::string& identity, Done<v1::Lease> done) {
  for (const Result<>& checked :
       {check_text(request.note(), "note"), check_text(request.client(), "client"), check_tokens(request.leases()),
        check_seconds(request.has_seconds() ? request.seconds() : kDefaultSeconds)}) {
    if (!checked) return done(checked.error());
  }
  const bool taken = parts_.jobs.try_add(
      [this, request = std::move(request), identity, done](const JobQueue::Finish& finish) {
        Result<v1::Lease> lease = give(request, identity);
        finish();
        done(std::move(lease));
      },
      [done] { done(make_error(ErrorKind::unavailable, "SHUTTING_DOWN", "", "the daemon is ending")); });
  if (!taken) {
    done(make_error(ErrorKind::resource_exhausted, "TOO_MANY_TRANSACTIONS", "",
                    "too many transactions wait in line: try again"));
  }
}

Result<v1::Lease> Leases::give(const v1::AcquireLeaseRequest& request, const std::string& identity) {
  expire();
  Held held;
  held.part.path = request.path();
  if (!request.path().empty()) {
    const session::DocNode* const node = session::find_node(*parts_.graph.document(), request.path());
    if (node == nullptr)
      return make_error(ErrorKind::not_found, "UNKNOWN_NODE", "path",
                        "there is no node " + session::quoted(request.path()));
    held.part.node = node->uid;
  }
  for (const Held& other : held_) {
    if (overlap(other.part.path, request.path()) && !among(other.token, request.leases()))
      return leased(describe(other), "path");
  }
  if (held_.size() >= kMaxHeld) {
    return make_error(ErrorKind::resource_exhausted, "TOO_MANY_LEASES", "",
                      "at most " + std::to_string(kMaxHeld) + " leases are held at once");
  }
  CONTINUO_CHECK(getrandom(held.token.data(), held.token.size(), 0) == static_cast<ssize_t>(held.token.size()),
                 "the system has random bytes for a token");
  held.id = next_id_++;
  held.seconds = request.has_seconds() ? request.seconds() : kDefaultSeconds;
  held.ends = parts_.now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(held.seconds));
  held.note = request.note();
  held.holder = origin_of(request.client(), identity);
  held_.push_back(held);
  tell(held, v1::LeaseEvent::KIND_ACQUIRED);
  arm();
  v1::Lease lease = describe(held);
  lease.set_token(hex(held.token));
  return lease;
}

Result<v1::Lease> Leases::renew(const v1::RenewLeaseRequest& request) {
  if (request.has_seconds()) {
    if (const Result<> checked = check_seconds(request.seconds()); !checked) return checked.error();
  }
  expire();
  Held* const held = find(request.token());
  if (held == nullptr) return unknown("token");
  if (request.has_seconds()) held->seconds = request.seconds();
  held->ends = parts_.now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(held->seconds));
  arm();
  v1::Lease lease = describe(*held);
  lease.set_token(hex(held->token));
  return lease;
}

Result<> Leases::release(const v1::ReleaseLeaseRequest& request) {
  expire();
  const Held* const found = find(request.token());
  if (found == nullptr) return unknown("token");
  end(v1::LeaseEvent::KIND_RELEASED, [id = found->id](const Held& held) { return held.id == id; });
  return {};
}

Result<> Leases::break_one(const v1::BreakLeaseRequest& request, const std::string& identity) {
  if (const Result<> checked = check_text(request.client(), "client"); !checked) return checked;
  expire();
  const auto found = std::ranges::find(held_, request.lease_id(), &Held::id);
  if (found == held_.end()) return unknown("lease_id");
  const Held held = *found;
  held_.erase(found);
  const v1::Origin by = origin_of(request.client(), identity);
  tell(held, v1::LeaseEvent::KIND_BROKEN, &by);
  arm();
  return {};
}

v1::ListLeasesResponse Leases::list() {
  expire();
  v1::ListLeasesResponse all;
  for (const Held& held : held_) *all.add_leases() = describe(held);
  return all;
}

Result<> Leases::check(const session::Operations& operations, const session::Document& before,
                       const session::Document& after, const std::set<std::string>& recording, const Tokens& tokens) {
  expire();
  if (held_.empty()) return {};
  std::optional<std::vector<Touch>> touched;
  for (const Held& held : held_) {
    if (among(held.token, tokens)) continue;
    const auto path = path_in(before, held.part);
    if (!path) continue;  // what comes before this takes it away, with its token
    if (!touched) touched = touches_of(operations, before, after, recording);
    for (const Touch& touch : *touched) {
      if (touches(touch, *path)) return leased(describe(held), "operations[" + std::to_string(touch.operation) + "]");
    }
  }
  return {};
}

Result<> Leases::check_at(const std::string& path, const Tokens& tokens) {
  if (Result<> few = check_tokens(tokens); !few) return few;
  expire();
  for (const Held& held : held_) {
    if (touches({path}, held.part.path) && !among(held.token, tokens)) return leased(describe(held), "leases");
  }
  return {};
}

Result<> Leases::check_all(const Tokens& tokens) {
  if (Result<> few = check_tokens(tokens); !few) return few;
  expire();
  for (const Held& held : held_) {
    if (!among(held.token, tokens)) return leased(describe(held), "leases");
  }
  return {};
}

std::uint64_t Leases::version() {
  expire();
  return version_;
}

void Leases::follow() {
  if (held_.empty()) return;
  const session::Document& document = *parts_.graph.document();
  std::set<std::uint64_t> gone;
  for (Held& held : held_) {
    const auto path = path_in(document, held.part);
    if (!path)
      gone.insert(held.id);
    else if (held.part.path != *path) {
      held.part.path = *path;
      ++version_;
    }
  }
  end(v1::LeaseEvent::KIND_GONE, [&](const Held& held) { return gone.contains(held.id); });
}

void Leases::session_loaded() {
  end(v1::LeaseEvent::KIND_GONE, [](const Held&) { return true; });
}

}  // namespace continuo::control
