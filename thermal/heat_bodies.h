// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "thermal/applicator_geometry.h"
#include "thermal/dose_field.h"
#include "thermal/film_wall.h"
#include "thermal/result.h"

namespace spinetherm {

/// Value of a piecewise linear curve, constant before its first corner and after its last.
double value_at(const Curve& curve, double t_s);

/// The bodies of all sources, in time: fixed-temperature regions, electrodes (cooled ones are held at their
/// wall temperature while they act, the others pass no heat; so are shafts of antennas and fibres),
/// insulators and cryoprobes (a wall with a film, see film_wall.h; while no gas flows it passes no heat). A
/// fixed-temperature region that does not act is tissue, or a hole where the source says so.
template <class Real>
class HeatBodies {
 public:
  explicit HeatBodies(const ThermalProblem& problem);

  /// Takes the cells of the bodies out of the level, for sources that are `on`, and gives back those of
  /// bodies that have turned into tissue, at their wall's last temperature. Returns the heat [J] that this
  /// has taken out of the cells (negative: brought in). `first`: before the run, where nothing has been
  /// stored yet.
  /// `dose` null: none is kept on this level.
  double switch_to(HeatLevel<Real>& level, DoseField<Real>* dose, const std::vector<bool>& on, double t_s,
                   bool first);
  /// Sets the temperatures of the walls at this time, and what walls with a film pass in the state `u`; cheap
  /// when there are none and temperatures are constant.
  void set_walls(HeatLevel<Real>& level, double t_s, const std::vector<Real>& u);
  /// From now on curves of temperature run ahead of the time of the run by this [s].
  void run_ahead(double skipped_s) { skipped_s_ = skipped_s; }
  /// Appends what the cryoprobes do in the present state. Their cells' extremes are those of the wall. Null:
  /// not kept.
  void record(double t_s, DoseField<Real>* dose, std::optional<CryoHistory>* kept) const;
  /// Of the window: the walls of cryoprobes, `all` or those without cells here, are what the level that
  /// stands for it there has found.
  void take_films(const HeatBodies& other, bool all);
  /// Where a level's cells may be larger than an idle cryoprobe, its wall has the temperature of the tissue
  /// that lies there.
  void see_films(const HeatLevel<Real>& level);
  /// Gives the cells of held bodies their wall's temperature in all stages.
  void fill_holes(HeatLevel<Real>& level) const;
  /// Continues the present state into the taken cells beside the walls, for stencils that reach into them.
  void fill_ghosts(HeatLevel<Real>& level) const;
  /// Wall temperature [degC] when the point lies in a body that is held.
  std::optional<double> wall_degC(const Eigen::Vector3d& x_mm) const;
  /// Cells around the held bodies: they must be active. Empty when there are none.
  bool surroundings(const Grid& grid, std::array<int, 3>& low, std::array<int, 3>& high) const;
  /// For a checkpoint: on reading, the bodies are those of the sources that are `on`, and the walls those of
  /// this time and of the level's state. The level must have been read before.
  void exchange_state(Archive& archive, HeatLevel<Real>& level, const std::vector<bool>& on, double t_s);
  bool moving() const { return moving_; }
  const BodyLinks& links() const { return links_; }
  const std::vector<Body>& bodies() const { return bodies_; }

 private:
  /// Bodies, walls and links of the sources that are `on`.
  void place(HeatLevel<Real>& level, const std::vector<bool>& on, double t_s);
  void hold(const Region& region, const Curve& curve);
  void close(const Region& region);

  const ThermalProblem& problem_;
  std::vector<Body> bodies_;
  std::vector<Curve> curves_;       ///< by wall
  std::vector<double> walls_degC_;  ///< by wall, as last set; with a film: mean of the surface
  BodyLinks links_;
  std::vector<std::size_t> held_;  ///< cells in bodies with a wall
  bool moving_ = false;            ///< some wall changes with time
  double skipped_s_ = 0;

  /// A probe: its sources are the steps of its protocol.
  struct Probe {
    Eigen::Vector3d entry_mm{0, 0, 0}, tip_mm{0, 0, 0};
    double from_tip_mm = 0, to_tip_mm = 0;  ///< its active stretch
    double last_mean_theta = 0;
    int source = -1;                    ///< that acts; -1: none
    double from_s = 0, from_theta = 0;  ///< of its ramp
  };
  void add_probe(std::size_t source, bool acting, double t_s);
  double gas_theta(const Probe& probe, double t_s) const;

  std::vector<Probe> probes_;        ///< in the order of the sources
  std::vector<std::size_t> placed_;  ///< by row of films_: probe
  FilmWalls<Real> films_;
  std::vector<std::vector<std::size_t>> film_cells_;  ///< by row of films_: cells that the probe takes out
};

}  // namespace spinetherm
