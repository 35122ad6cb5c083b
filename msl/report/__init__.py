"""What a person sees: tables, figures, galleries, the experiment tracker."""
