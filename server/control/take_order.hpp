// THREAD: control reads orders; names: any - what RecordStart and its recorder say about the files of a take
#pragma once

#include <cstdint>
#include <string>

#include "continuo/v1/edit.pb.h"
#include "server/base/result.hpp"
#include "server/control/takes.hpp"
#include "server/session/document.hpp"

namespace continuo::control {

/// The members of `order` that say how its files are made, for the node that it names. `field` is the RecordStart's.
/// The ending of a file that is named decides between WAV and FLAC; else the recorder's format does, or RecordStart's.
[[nodiscard]] Result<> read_take_files(const v1::RecordStart& start, const session::Document& document,
                                       const std::string& field, Takes::Order& order);

/// Once its channels are known: that a file of this kind has so many, and how long a part may be.
[[nodiscard]] Result<> check_take_files(const Takes::Order& order, double rate_hz);

/// Frames of a part; 0: there is one alone.
[[nodiscard]] std::int64_t part_frames(const Takes::Order& order, double rate_hz);

struct TakeNameFields {
  std::string node;
  std::string session = {};
  int number = 1;           // the first that is free
  std::int64_t utc_s = -1;  // since 1970; -1: now
};
/// "{node}-{date}-{time}" with everything filled in but {channel}, which media::take_files() knows; what a file name
/// cannot hold becomes '_'. From number 2 on it is at the end where the template has neither {take} nor {n}.
[[nodiscard]] std::string take_name(const std::string& file_template, const TakeNameFields& fields);

}  // namespace continuo::control
